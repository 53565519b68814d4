// expect-error: the network was given twice
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::blocked).network(nono::unrestricted);
#else
auto p = nono::caps().network(nono::blocked);
#endif
