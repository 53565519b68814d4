// expect-error: port_to_bind_must_be_0_to_65535
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::only(nono::bind_tcp(65536)));
#else
auto p = nono::caps().network(nono::only(nono::bind_tcp(65535)));
#endif
