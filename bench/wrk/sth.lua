-- Tree heads.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("requests")("sth.txt", false)
