// Package sandbox runs a task as a Mesos agent does: it fetches files into a folder of the task's own, runs
// the command through a shell there, keeps stdout and stderr in files, holds the task to its memory, and ends
// it with SIGTERM, a grace and SIGKILL.
package sandbox
