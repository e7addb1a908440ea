-- A commit to every four reads of all kinds.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("requests")("mixed.txt", true)
