-- Shared by the scripts beside it: requests that bench/wrk/prepare wrote, METHOD PATH BODY a line.
--   wrk -t2 -c64 -d10s -s bench/wrk/query.lua http://127.0.0.1:8080 -- DIR

local threads = 0

-- Called for every thread before it starts: its number, so that no two send the same commit.
function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end

local function read(path, first, step)
  local list, number = {}, 0
  local headers = { ["content-type"] = "application/json" }
  for line in assert(io.open(path)):lines() do
    local method, target, body = line:match("^(%S+) (%S+) ?(.*)$")
    if number % step == first then
      list[#list + 1] = wrk.format(method, target, headers, body ~= "" and body or nil)
    end
    number = number + 1
  end
  return list
end

-- Send the lines of DIR/name. Commits may be sent once only: then the thread ends with its lines.
return function(name, is_once)
  local list, at

  function init(args)
    local threads_max = tonumber(args[2] or "2") -- as many as -t says, or more
    local step = is_once and threads_max or 1
    list = read(args[1] .. "/" .. name, is_once and first or 0, step)
    at = is_once and 0 or first * 97 % #list
  end

  function request()
    if at == #list and is_once then
      wrk.thread:stop()
      return wrk.format("GET", "/info/node")
    end
    at = at % #list + 1
    return list[at]
  end
end
