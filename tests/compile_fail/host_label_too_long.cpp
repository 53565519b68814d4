// expect-error: host_must_not_exceed_253_bytes_nor_its_labels_63
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(
    nono::hosts{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"});
#else
auto p = nono::caps().network(
    nono::hosts{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"});
#endif
