// expect-error: ip_address_must_be_written_canonically
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"2001:DB8::1"});
#else
auto p = nono::caps().network(nono::hosts{"2001:db8::1"});
#endif
