// millrace.hpp: all that an application needs.
#pragma once

#include <millrace/app.hpp>
#include <millrace/body.hpp>
#include <millrace/cancelled.hpp>
#include <millrace/events.hpp>
#include <millrace/fixed.hpp>
#include <millrace/form.hpp>
#include <millrace/group.hpp>
#include <millrace/http_error.hpp>
#include <millrace/json.hpp>
#include <millrace/middleware.hpp>
#include <millrace/middleware/access_log.hpp>
#include <millrace/middleware/auth.hpp>
#include <millrace/middleware/cors.hpp>
#include <millrace/middleware/headers.hpp>
#include <millrace/middleware/rate_limit.hpp>
#include <millrace/outcome.hpp>
#include <millrace/query.hpp>
#include <millrace/reply.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>
#include <millrace/server.hpp>
#include <millrace/sleep.hpp>
#include <millrace/stream.hpp>
#include <millrace/task.hpp>
#include <millrace/websocket.hpp>
