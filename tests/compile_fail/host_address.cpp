// expect-error: host_must_be_a_name_not_an_ip_address
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"192.0.2.1"});
#else
auto p = nono::caps().network(nono::hosts{"1.example.com"});
#endif
