-- State proofs of identities.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("requests")("state.txt", false)
