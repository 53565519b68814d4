// expect-error: the network was given twice
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_port(nono::bind_tcp(80)).network(nono::blocked);
#else
auto p = nono::caps().allow_port(nono::bind_tcp(80));
#endif
