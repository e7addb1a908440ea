-- Queries: by id, and every tenth a range of 100.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("requests")("query.txt", false)
