// Package oracle says which alerts a set of transactions calls for. It is slow and obvious: it knows
// all transactions at once, adds up step functions, and shares no code with the detector.
//
// For the transactions between one pair of accounts, f(T) is the sum of those with time in
// (T - window, T]. Each transaction is therefore a step of its amount on [t, t + window), and an
// episode is a maximal interval in which the sum of the steps is above the threshold.
package oracle
