// What happens to files on disks, done on purpose.
namespace Scaling.TestKit;

public static class Damage
{
    /// <summary>Damages a file.</summary>
    /// <param name="file">At least one byte long.</param>
    /// <param name="how"><c>flip</c> one bit, <c>truncate</c> to half, <c>zero</c> all bytes, <c>empty</c>, or <c>delete</c>.</param>
    public static void Do(string file, string how)
    {
        File.SetAttributes(file, FileAttributes.Normal);
        byte[] bytes = File.ReadAllBytes(file);
        switch (how)
        {
            case "flip":
                bytes[bytes.Length / 2] ^= 1;
                File.WriteAllBytes(file, bytes);
                break;
            case "truncate":
                File.WriteAllBytes(file, bytes[..(bytes.Length / 2)]);
                break;
            case "zero":
                File.WriteAllBytes(file, new byte[bytes.Length]);
                break;
            case "empty":
                File.WriteAllBytes(file, []);
                break;
            case "delete":
                File.Delete(file);
                break;
            default:
                throw new ArgumentException($"no damage is called '{how}'", nameof(how));
        }
    }
}
