-- "wrk -s hosts.lua URL -- N": each request goes to the next of N hosts, h0.test, h1.test, …
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "report.lua")

local requests, count, current = {}, 0, 0

function init(args)
  count = tonumber(args[1])
  for i = 1, count do
    wrk.headers["Host"] = "h" .. (i - 1) .. ".test"
    requests[i] = wrk.format()
  end
end

function request()
  current = current % count + 1
  return requests[current]
end
