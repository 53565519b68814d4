// expect-error: ports_to_connect_to_exist_on_linux_only
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().network(nono::only(nono::connect_tcp(443))).target(nono::portable);
#else
inline constexpr auto p = nono::caps().network(nono::only(nono::bind_tcp(443))).target(nono::portable);
#endif
