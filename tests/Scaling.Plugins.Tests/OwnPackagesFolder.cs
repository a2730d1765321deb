// The packages folder that a test names in its nuget.config is the one that counts.
using System.Runtime.CompilerServices;

namespace Scaling.Plugins.Tests;

internal static class OwnPackagesFolder
{
#pragma warning disable CA2255 // A test assembly has no other beginning.
    /// <summary>The variable of who runs the tests would take its place.</summary>
    [ModuleInitializer]
    internal static void Forget() => Environment.SetEnvironmentVariable("NUGET_PACKAGES", null);
#pragma warning restore CA2255
}
