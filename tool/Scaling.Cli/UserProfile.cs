// Where the user's profile lies: what a site's cluster needs of every pipeline.
using Scaling.Engine.Executors;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class UserProfile
{
    private const string Variable = "SCALING_PROFILE";

    /// <summary>Where it lies, or would.</summary>
    public static string Place
    {
        get
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            {
                return named;
            }

            string? configuration = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME");
            return Path.Combine(
                string.IsNullOrEmpty(configuration) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config") : configuration, "dotnet-scaling", "profile.yaml");
        }
    }

    /// <summary>What the profile says: <c>SCALING_PROFILE</c>, else <c>dotnet-scaling/profile.yaml</c> in the user's configuration folder, where it need not be.</summary>
    /// <exception cref="UsageException">SCAL1081: <c>SCALING_PROFILE</c> names no file.</exception>
    public static (Placement Placement, IReadOnlyList<Diagnostic> Findings) Read()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return File.Exists(named)
                ? Profile.Read(named)
                : throw new UsageException("SCAL1081", $"{Variable} names the profile '{named}', and there is no such file.", $"Write it, or unset {Variable}.");
        }

        return File.Exists(Place) ? Profile.Read(Place) : (Placement.None, []);
    }
}
