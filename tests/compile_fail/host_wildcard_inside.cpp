// expect-error: wildcard_must_be_the_first_label_before_a_name
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"api.*.com"});
#else
auto p = nono::caps().network(nono::hosts{"*.example.com"});
#endif
