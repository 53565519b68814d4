// expect-error: network\(hosts\) needs the runner of the nono command
#include <nono/apply.hpp>
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
void confine() { (void)nono::caps().network(nono::hosts{"api.example.com"}).apply(); }
#else
void confine() { (void)nono::caps().network(nono::blocked).apply(); }
#endif
