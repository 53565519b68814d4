// expect-error: connect_unix_contradicts_unix_sockets_none
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().unix_sockets(nono::unix_sockets::none).allow_unix_socket("/run/x");
#else
inline constexpr auto p = nono::caps().unix_sockets(nono::unix_sockets::granted).allow_unix_socket("/run/x");
#endif
