// expect-error: port_must_be_1_to_65535
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::only(nono::bind_tcp(-1)));
#else
auto p = nono::caps().network(nono::only(nono::bind_tcp(1)));
#endif
