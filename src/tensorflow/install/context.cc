// TensorFlow.js's binding makes its context with the defaults, from which there is no way to TensorFlow's own options and to its
// distributed runtime. The linker puts these functions in the place of TFE_NewContext and TFE_DeleteContext (-Wl,--wrap): the context
// is given a ConfigProto, and where there is a ServerDef the collectives between the processes that it lists. Both come as the
// hexadecimal digits of the serialized message in an environment variable, see ../cluster/protocol.ts.

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

/** While it lives nothing is written to standard error: the server tells of its start there, whatever the level of logging. */
class Silence {
 public:
  Silence() : kept_(dup(2)) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 2);
    close(nowhere);
  }
  ~Silence() {
    dup2(kept_, 2);
    close(kept_);
  }

 private:
  const int kept_;
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
  // Left where the process that loads it finds it: whether others can reach the server.
  if (std::getenv("WEIR_CONTEXT_LOOPBACK") != nullptr && ListenOnLoopbackAlone()) setenv("WEIR_CONTEXT_ALONE", "1", 1);
  const Silence silence;
  TFE_EnableCollectiveOps(context, server.data(), server.size(), status);
  // The binding throws without the reason: it is left where the process that loads it finds it.
  if (TF_GetCode(status) != TF_OK) setenv("WEIR_CONTEXT_ERROR", TF_Message(status), 1);
  return context;
}

/** A context that serves has no clean end in TensorFlow; the process that deletes it is ending itself. */
void __wrap_TFE_DeleteContext(TFE_Context* context) {
  if (!serving) __real_TFE_DeleteContext(context);
}

}  // extern "C"
