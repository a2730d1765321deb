// A folder for one test, gone with it.
namespace Scaling.TestKit;

/// <summary>A new empty folder, its name with a space; deleted on disposal.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>Absolute.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("scaling test ").FullName;

    /// <summary>Writes a text file, making its folders.</summary>
    /// <param name="name">Relative path.</param>
    /// <param name="text">Content.</param>
    /// <returns>Its absolute path.</returns>
    public string Write(string name, string text)
    {
        string path = this[name];
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Absolute path of a name in the folder.</summary>
    /// <param name="name">Relative path.</param>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A process that is just ending may still write here; the system's temporary folder is cleaned by the system.
        }
    }
}
