// expect-error: host_must_stand_without_port
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"api.example.com:443"});
#else
auto p = nono::caps().network(nono::hosts{"api.example.com"});
#endif
