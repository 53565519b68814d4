// expect-error: policy_has_more_than_32_ports
#include <nono/caps.hpp>
constexpr auto with_ports(std::uint16_t n) {
  auto p = nono::caps().allow_port(nono::bind_tcp(1));
  for (std::uint16_t port = 2; port <= n; ++port) p = p.allow_port({nono::port_use::bind_tcp, port});
  return p;
}
#ifdef EXPECT_ERROR
inline constexpr auto p = with_ports(33);
#else
inline constexpr auto p = with_ports(32);
#endif
