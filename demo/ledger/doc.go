// Package ledger reads what is in the topics and what is in InfluxDB, and says where the two differ. It
// shares no code with the services: neither their clients nor their parser, so that an error of theirs
// does not hide here.
package ledger
