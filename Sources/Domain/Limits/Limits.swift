/// Every limit of the daemon, one file an area, each with its reason. Reaching one is a tested path with a clear answer.
package enum Limits {}
