// expect-error: hosts\{\} names no host
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{});
#else
auto p = nono::caps().network(nono::hosts{"api.example.com"});
#endif
