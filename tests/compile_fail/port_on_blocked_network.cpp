// expect-error: a port grant on a blocked network
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::blocked).allow_port(nono::bind_tcp(80));
#else
auto p = nono::caps().network(nono::only(nono::bind_tcp(81))).allow_port(nono::bind_tcp(80));
#endif
