// expect-error: host_must_be_a_name_not_an_ip_address
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"2001:db8::1"});
#else
auto p = nono::caps().network(nono::hosts{"api.example.com"});
#endif
