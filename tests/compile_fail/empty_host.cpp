// expect-error: host_must_not_be_empty
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"api.example.com", ""});
#else
auto p = nono::caps().network(nono::hosts{"api.example.com"});
#endif
