// expect-error: a port grant on a network of hosts
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"a.example"}).allow_port(nono::connect_tcp(443));
#else
auto p = nono::caps().network(nono::only(nono::bind_tcp(80))).allow_port(nono::connect_tcp(443));
#endif
