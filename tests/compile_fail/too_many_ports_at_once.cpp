// expect-error: only\(\): at most 32 ports
#include <nono/caps.hpp>
using nono::bind_tcp;
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::only(
    bind_tcp(0), bind_tcp(1), bind_tcp(2), bind_tcp(3), bind_tcp(4), bind_tcp(5), bind_tcp(6), bind_tcp(7),
    bind_tcp(8), bind_tcp(9), bind_tcp(10), bind_tcp(11), bind_tcp(12), bind_tcp(13), bind_tcp(14),
    bind_tcp(15), bind_tcp(16), bind_tcp(17), bind_tcp(18), bind_tcp(19), bind_tcp(20), bind_tcp(21),
    bind_tcp(22), bind_tcp(23), bind_tcp(24), bind_tcp(25), bind_tcp(26), bind_tcp(27), bind_tcp(28),
    bind_tcp(29), bind_tcp(30), bind_tcp(31), bind_tcp(32)));
#else
auto p = nono::caps().network(
    nono::only(bind_tcp(0), bind_tcp(1), bind_tcp(2), bind_tcp(3), bind_tcp(4), bind_tcp(5), bind_tcp(6),
               bind_tcp(7), bind_tcp(8), bind_tcp(9), bind_tcp(10), bind_tcp(11), bind_tcp(12), bind_tcp(13),
               bind_tcp(14), bind_tcp(15), bind_tcp(16), bind_tcp(17), bind_tcp(18), bind_tcp(19),
               bind_tcp(20), bind_tcp(21), bind_tcp(22), bind_tcp(23), bind_tcp(24), bind_tcp(25),
               bind_tcp(26), bind_tcp(27), bind_tcp(28), bind_tcp(29), bind_tcp(30), bind_tcp(31)));
#endif
