// Package chaos runs fintrans on real servers through random faults and judges what came of it: servers as
// processes, the services as processes in several instances, a schedule of faults that a seed decides, and the
// books at the end. What is in the topics is read by a client of its own; whatever the services owe for it has to
// be there: each transaction as one point, each episode as an alert.
package chaos
