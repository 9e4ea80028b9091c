// Package definition reads and checks app definitions as strictly as the strictest Marathon from 1.3
// to 1.10 does, and merges partial ones into those that exist.
package definition
