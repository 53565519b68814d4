// expect-error: host_must_be_in_lower_case
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"API.example.com"});
#else
auto p = nono::caps().network(nono::hosts{"api.example.com"});
#endif
