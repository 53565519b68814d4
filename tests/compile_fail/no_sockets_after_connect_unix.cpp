// expect-error: connect_unix_contradicts_unix_sockets_none
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p =
    nono::caps().allow_path<nono::all_rights>("/run/x").unix_sockets(nono::unix_sockets::none);
#else
inline constexpr auto p =
    nono::caps().allow_path<nono::read_write>("/run/x").unix_sockets(nono::unix_sockets::none);
#endif
