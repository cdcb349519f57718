/* The layout of the structs of tim.h on a 64-bit machine. It compiles, or somebody broke programs that exist. */
#include "tim.h"

#define AT(type, member, offset) \
  _Static_assert(offsetof(type, member) == (offset), #type "." #member " moved")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has another size")

AT(tim_config, struct_size, 0);
AT(tim_config, platform, 4);
AT(tim_config, sdk_app_id, 8);
AT(tim_config, url, 16);
AT(tim_config, data_dir, 24);
AT(tim_config, instance, 32);
AT(tim_config, label, 40);
AT(tim_config, sdk, 48);
AT(tim_config, ca_pem, 56);
AT(tim_config, login_timeout_ms, 64);
AT(tim_config, logout_timeout_ms, 68);
AT(tim_config, allow_insecure, 72);
AT(tim_config, background, 76);
AT(tim_config, log_level, 80);
AT(tim_config, reserved, 84);
AT(tim_config, on_log, 88);
AT(tim_config, ticket_provider, 96);
AT(tim_config, on_destroy, 104);
AT(tim_config, user_data, 112);
SIZE(tim_config, 120);

AT(tim_event, struct_size, 0);
AT(tim_event, kind, 4);
AT(tim_event, login_status, 8);
AT(tim_event, ready, 12);
AT(tim_event, resumed, 16);
AT(tim_event, code, 20);
AT(tim_event, kick_reason, 24);
AT(tim_event, by_platform, 28);
AT(tim_event, at_ms, 32);
AT(tim_event, by_label, 40);
AT(tim_event, text, 48);
SIZE(tim_event, 56);

AT(tim_result, struct_size, 0);
AT(tim_result, code, 4);
AT(tim_result, repeat_login, 8);
AT(tim_result, reserved, 12);
AT(tim_result, ticket_expires_ms, 16);
AT(tim_result, session, 24);
AT(tim_result, text, 32);
SIZE(tim_result, 40);

SIZE(tim_client, 8);
SIZE(tim_code, 4);
