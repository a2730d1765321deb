// Lets a test count which actions really ran, in whatever process.
namespace Scaling.TestPlugin;

/// <summary>
/// Leaves one file an executed action in the folder that <c>SCALING_TEST_JOURNAL</c> names, <c>TYPE.POINT.UNIQUE</c>, with the process that executed it.
/// A file each, because several worker processes write at once. Where the variable is not set, nothing happens.
/// </summary>
internal static class Journal
{
    public static void Note(string type, string point)
    {
        if (Environment.GetEnvironmentVariable("SCALING_TEST_JOURNAL") is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, $"{type}.{point}.{Guid.NewGuid():N}"), $"{Environment.ProcessId}");
        }
    }
}
