// TensorFlow.js's binding makes its context with the defaults, without TensorFlow's own options and its distributed runtime. The
// linker puts these functions in the place of TFE_NewContext and TFE_DeleteContext (-Wl,--wrap). The context is given a ConfigProto,
// and where there is a ServerDef the collectives of the process group that it lists. Both come as the hexadecimal digits of the
// serialized message in an environment variable, see ../collectives/rendezvous.ts.

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "loopback.h"
#include "tensorflow/c/c_api_experimental.h"
#include "tensorflow/c/eager/c_api.h"

namespace {

int Digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/** The bytes that a variable holds; none where it is not set. */
std::string Message(const char* variable) {
  const char* text = std::getenv(variable);
  std::string bytes;
  for (; text != nullptr && text[0] != '\0' && text[1] != '\0'; text += 2)
    bytes.push_back(static_cast<char>(Digit(text[0]) * 16 + Digit(text[1])));
  return bytes;
}

/** Discards standard error for its lifetime: the server announces its start there, whatever the level of logging. */
class Silence {
 public:
  Silence() : saved_(dup(2)) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 2);
    close(nowhere);
  }
  ~Silence() {
    dup2(saved_, 2);
    close(saved_);
  }

 private:
  const int saved_;
};

bool serving = false;

}  // namespace

extern "C" {

TFE_Context* __real_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status);
void __real_TFE_DeleteContext(TFE_Context* context);

TFE_Context* __wrap_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  const std::string config = Message("WEIR_CONTEXT_CONFIG");
  if (!config.empty()) {
    TFE_ContextOptionsSetConfig(const_cast<TFE_ContextOptions*>(options), config.data(), config.size(), status);
    if (TF_GetCode(status) != TF_OK) return nullptr;
  }
  TFE_Context* context = __real_TFE_NewContext(options, status);
  const std::string server = Message("WEIR_CONTEXT_SERVER");
  if (TF_GetCode(status) != TF_OK || server.empty()) return context;
  serving = true;
  // The environment tells the process that loads this whether others can reach the server.
  if (std::getenv("WEIR_CONTEXT_LOOPBACK") != nullptr && ListenOnLoopbackAlone()) setenv("WEIR_CONTEXT_ALONE", "1", 1);
  const Silence silence;
  TFE_EnableCollectiveOps(context, server.data(), server.size(), status);
  // The binding throws without the reason, so the environment carries it.
  if (TF_GetCode(status) != TF_OK) setenv("WEIR_CONTEXT_ERROR", TF_Message(status), 1);
  return context;
}

/** TensorFlow cannot end a context that serves cleanly. The process that deletes it is about to exit. */
void __wrap_TFE_DeleteContext(TFE_Context* context) {
  if (!serving) __real_TFE_DeleteContext(context);
}

}  // extern "C"
