-- Commits, each once.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("requests")("commit.txt", true)
