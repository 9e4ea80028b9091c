// Package proof holds the long proofs, which the build tag of the same name switches on: a million
// transactions, a soak, and kills at random.
package proof
