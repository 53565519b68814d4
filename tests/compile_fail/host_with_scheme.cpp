// expect-error: host_must_stand_without_scheme_user_and_path
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"https://api.example.com"});
#else
auto p = nono::caps().network(nono::hosts{"api.example.com"});
#endif
