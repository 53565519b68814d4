// expect-error: ip_address_must_be_written_canonically
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"192.0.2.01"});
#else
auto p = nono::caps().network(nono::hosts{"192.0.2.1"});
#endif
