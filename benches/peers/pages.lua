-- What wrk asks for: `-- PATH PAGES`. So many pages below a path, in turn; with 0 each time one
-- that nobody has asked for.
local requests, path, pages, count = {}, nil, nil, 0

function init(args)
    path, pages = args[1], tonumber(args[2])
    -- As all clients here say: caches keep pages by host.
    wrk.headers["Host"] = "site.test"
    for number = 1, pages do
        requests[number] = wrk.format("GET", path .. "/" .. number)
    end
end

function request()
    count = count + 1
    if pages == 0 then return wrk.format("GET", path .. "/" .. count) end
    return requests[count % pages + 1]
end
