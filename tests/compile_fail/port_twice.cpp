// expect-error: port_must_be_given_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().network(nono::only(nono::bind_tcp(80), nono::bind_tcp(80)));
#else
inline constexpr auto p = nono::caps().network(nono::only(nono::bind_tcp(80), nono::connect_tcp(80)));
#endif
