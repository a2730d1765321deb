// Tests that need Python 3, which the tool itself does not.
using Xunit;

namespace Scaling.TestKit;

/// <summary>Skips where python3 is not on the PATH.</summary>
public sealed class PythonFactAttribute : FactAttribute
{
    /// <summary>Looks for it.</summary>
    public PythonFactAttribute()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "python3"))))
        {
            Skip = "python3 is not on the PATH";
        }
    }
}
