// expect-error: port_0_cannot_be_connected_to
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::only(nono::connect_tcp(0)));
#else
auto p = nono::caps().network(nono::only(nono::bind_tcp(0)));
#endif
