// How what is remembered of packages is written; made at compile time, since the compiled tool cannot make it later.
using System.Text.Json.Serialization;

namespace Scaling.Plugins;

[JsonSerializable(typeof(ArchiveProofs.Remembered))]
[JsonSerializable(typeof(Downloads.Part))]
internal sealed partial class PluginsJson : JsonSerializerContext;
