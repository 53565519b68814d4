// expect-error: only\(\) opens no port
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::only());
#else
auto p = nono::caps().network(nono::only(nono::connect_tcp(443)));
#endif
