// expect-error: unix_sockets_must_be_given_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p =
    nono::caps().unix_sockets(nono::unix_sockets::none).unix_sockets(nono::unix_sockets::none);
#else
inline constexpr auto p = nono::caps().unix_sockets(nono::unix_sockets::none);
#endif
