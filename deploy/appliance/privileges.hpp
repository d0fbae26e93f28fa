#pragma once

#include <string>

namespace equinox::appliance {

/// Nothing this process or a child executes can gain a privilege (PR_SET_NO_NEW_PRIVS). @return empty, or what failed
std::string forbid_new_privileges();
/// Gives up every capability of the calling thread: bounding set (where CAP_SETPCAP allows it), ambient, effective,
/// permitted, inheritable. Threads made later have none either. @return empty, or what failed
std::string drop_capabilities();

}  // namespace equinox::appliance
