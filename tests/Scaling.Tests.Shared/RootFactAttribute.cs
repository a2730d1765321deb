// Tests that need a mount or another host's name, which only root may make.
using System.Diagnostics;
using Xunit;

namespace Scaling.TestKit;

/// <summary>Skips where namespaces cannot be made.</summary>
public sealed class RootFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Reason = new(Try);

    /// <summary>Tries it.</summary>
    public RootFactAttribute() => Skip = Reason.Value;

    private static string? Try()
    {
        try
        {
            using var unshare = Process.Start(new ProcessStartInfo("unshare", ["-m", "-u", "true"]) { RedirectStandardError = true })!;
            unshare.WaitForExit();
            return unshare.ExitCode == 0 ? null : "not root, or no namespaces here: unshare -m -u fails";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "there is no unshare";
        }
    }
}
