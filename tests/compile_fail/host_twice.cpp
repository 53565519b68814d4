// expect-error: host_must_be_given_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"a.example", "b.example", "a.example"});
#else
auto p = nono::caps().network(nono::hosts{"a.example", "b.example", "*.a.example"});
#endif
