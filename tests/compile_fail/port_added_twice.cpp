// expect-error: port_must_be_given_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_port(nono::connect_tcp(443)).allow_port(nono::connect_tcp(443));
#else
inline constexpr auto p = nono::caps().allow_port(nono::connect_tcp(443)).allow_port(nono::connect_tcp(80));
#endif
