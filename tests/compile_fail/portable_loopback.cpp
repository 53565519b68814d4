// expect-error: loopback_network_exists_on_linux_only
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().target(nono::portable).network(nono::loopback);
#else
inline constexpr auto p = nono::caps().target(nono::linux_only).network(nono::loopback);
#endif
